-- Metabase: privileges, and the zone of the server by the difference of two clocks.
SHOW GRANTS FOR CURRENT_USER()
SELECT @@GLOBAL.time_zone AS global_tz, @@system_time_zone AS system_tz, time_format(timediff(now(), utc_timestamp()), '%H:%i') AS 'offset'
SELECT @@GLOBAL.time_zone, @@system_time_zone, TIMEDIFF(NOW(), UTC_TIMESTAMP())
SELECT @@GLOBAL.time_zone AS global_tz, @@system_time_zone AS system_tz, time_format(   timediff(      now(), convert_tz(now(), @@session.time_zone, '+00:00')   ),   '%H:%i' ) AS 'offset'
SET @@session.time_zone = '+00:00'
SELECT 1
