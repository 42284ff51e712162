-- Grafana's MySQL data source: Go's driver sets the zone at login.
SELECT @@max_allowed_packet
SET time_zone='+00:00'
SET NAMES utf8mb4
SELECT 1
SELECT DATABASE() as dataset
SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'tt' ORDER BY TABLE_NAME
