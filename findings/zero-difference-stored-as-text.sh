#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian trixie), and MariaDB 10.11.19 and MySQL 9.7.4 the same: the difference of two equal DECIMALs is shown as 0.00, and is 0 once it is
# stored in a column of text, by UPDATE as by a generated column. Every other difference keeps its decimals. So a text that was made of
# amounts has another form where nothing is left, and is another one than CAST(... AS CHAR) of the same expression. (MySQL does the same to
# a product that is zero, MariaDB does not.)
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd
sql "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, due DECIMAL(8,2), paid INT, rest VARCHAR(20) AS (due - paid) STORED, noted VARCHAR(20))"
sql "INSERT INTO d.t (id, due, paid) VALUES (1, 5, 5), (2, 7.5, 5); UPDATE d.t SET noted = due - paid"
row() { sql "SELECT due - paid, CAST(due - paid AS CHAR), rest, noted FROM d.t WHERE id = $1" | tr '\t' ' '; }
same "5.00 - 5: shown, cast, generated, stored" "0.00 0.00 0 0" "$(row 1)"
same "7.50 - 5" "2.50 2.50 2.50 2.50" "$(row 2)"
same "rows whose text is that of the cast" "2" "$(sql 'SELECT GROUP_CONCAT(id) FROM d.t WHERE noted = CAST(due - paid AS CHAR)')"
