#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): after SET TIMESTAMP, the exec_time of a statement in the binary log is not how long it took. It is what
# the clock says when the statement ends, less the time that was set: for a CREATE TABLE of some milliseconds under a timestamp of
# 2023 it is years. Whoever adds exec_time to the event's time, to know when a statement ended, is right all the same; whoever takes
# it for a duration is not. MariaDB 11.8.9 (Debian 13) logs the same, and has no other time of the commit in the event.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
began=$(date +%s)
sql 'CREATE DATABASE d; SET TIMESTAMP = 1700000000; CREATE TABLE d.t (id INT PRIMARY KEY)'
took=$(($(date +%s) - began))
seconds=$(chroot "$debian" mysqlbinlog "$work/data/binlog.000001" | grep -a -B3 'CREATE TABLE d.t' | grep -a -o 'exec_time=[0-9]*' | cut -d= -f2)
echo "statements took: at most $((took + 1)) s; exec_time of CREATE TABLE: $seconds s"
((took < 60)) || { echo "the machine is too slow to tell" >&2; exit 1; }
ended=$((1700000000 + seconds))
same "time that was set + exec_time is the time of the clock" yes "$( ((ended >= began && ended <= began + took + 1)) && echo yes || echo "no: $ended, $began")"
