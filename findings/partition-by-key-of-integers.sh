#!/usr/bin/env bash
# PARTITION BY KEY of an integer hashes the four bytes of the number as if they were text in latin1_swedish_ci: 97 counts as 65, since
# these bytes are "a" and "A". So numbers that differ by case alone share a partition, however many partitions there are.
# MySQL 9.7.4 (Debian sid).
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql 'CREATE DATABASE d'
partition_of() { sql "EXPLAIN FORMAT=TRADITIONAL SELECT * FROM d.t WHERE id = $1" 2>/dev/null | cut -f4; }
together() {
    local same=0 first
    for count in 2 3 5 7 11 13 64 101 997; do
        sql "DROP TABLE IF EXISTS d.t; CREATE TABLE d.t (id INT PRIMARY KEY) PARTITION BY KEY (id) PARTITIONS $count; INSERT INTO d.t VALUES ($1), ($2)"
        first=$(partition_of "$1")
        [ -n "$first" ] || exit 1
        [ "$first" != "$(partition_of "$2")" ] || same=$((same + 1))
    done
    echo "$same of 9"
}
same "65 and 97 in one partition" "9 of 9" "$(together 65 97)"
same "90 and 122 in one partition" "9 of 9" "$(together 90 122)"
same "66 and 97 in one partition" "1 of 9" "$(together 66 97)"
