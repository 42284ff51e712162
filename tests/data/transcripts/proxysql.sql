-- ProxySQL 2: what its clients set, replayed before their queries.
SET NAMES latin1 COLLATE 'latin1_swedish_ci'
SET NAMES utf8mb4
SET character_set_results='utf8mb4'
SET character_set_connection='utf8mb4'
SET character_set_client='utf8mb4'
SET sql_mode='TRADITIONAL'
SET time_zone='+00:00'
SET foreign_key_checks='OFF'
SET unique_checks='OFF'
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SET SESSION TRANSACTION READ WRITE
SET SESSION_TRACK_GTIDS=OWN_GTID
SET auto_increment_increment=1
SET auto_increment_offset=1
SET big_tables='OFF'
SET default_storage_engine='InnoDB'
SET default_tmp_storage_engine='InnoDB'
SET group_concat_max_len=1024
SET innodb_lock_wait_timeout=50
SET innodb_strict_mode='ON'
SET innodb_table_locks='ON'
SET join_buffer_size=262144
SET lc_messages='en_US'
SET lc_time_names='en_US'
SET lock_wait_timeout=100
SET long_query_time=10
SET max_execution_time=0
SET max_heap_table_size=16777216
SET max_join_size=18446744073709551615
SET max_sort_length=1024
SET optimizer_prune_level=1
SET optimizer_search_depth=62
SET optimizer_switch='mrr=on'
SET profiling='OFF'
SET query_cache_type='OFF'
SET sort_buffer_size=262144
SET sql_auto_is_null='OFF'
SET sql_big_selects='ON'
SET sql_generate_invisible_primary_key='OFF'
SET sql_log_bin='ON'
SET sql_require_primary_key='OFF'
SET sql_safe_updates='OFF'
SET sql_select_limit=DEFAULT
SET timestamp=DEFAULT
SET tmp_table_size=16777216
SET @u=@@sql_mode, sql_mode=''
SET autocommit=0
BEGIN
COMMIT
SET autocommit=1
