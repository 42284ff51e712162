-- HeidiSQL: a login, its variables and its status page.
SELECT CONNECTION_ID()
/*!40101 SET NAMES utf8mb4 */
SHOW VARIABLES
SHOW /*!50002 GLOBAL */ STATUS
SELECT NOW()
SELECT DATABASE()
/*!40101 SET SQL_MODE='' */
SHOW /*!50002 GLOBAL */ VARIABLES LIKE 'version%'
SHOW /*!40100 GLOBAL */ STATUS LIKE 'Uptime'
/* leaving */ SELECT 1
SHOW DATABASES
-- needs: catalogue
SHOW COLLATION
-- needs: catalogue
SHOW ENGINES
