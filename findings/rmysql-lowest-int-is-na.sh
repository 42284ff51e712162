#!/usr/bin/env bash
# RMySQL 0.11.1 with MariaDB 11.8.9, both of Debian trixie: the INT -2147483648 comes as NA, which is what NULL comes as, since the
# integers of R have no such number and keep its bits for NA. A BIGINT column of the same value is right. BINARY ends at its first zero
# byte: X'61006200' comes as "a", of a length of 4 that the server tells. No error, no warning in either case.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server mariadb-client r-cran-rmysql
version mariadbd 11.8.9
same "RMySQL" 0.11.1 "$(chroot "$debian" Rscript --vanilla -e 'cat(as.character(packageVersion("RMySQL")))')"
start mariadbd
sql "CREATE DATABASE d; CREATE TABLE d.t (i INT, b BIGINT, bytes BINARY(4)); INSERT INTO d.t VALUES (-2147483648, -2147483648, X'61006200')"
ask() {
    cat >"$debian$work/ask.R" <<END
suppressPackageStartupMessages(library(RMySQL))
options(warn = 1)
connection <- dbConnect(MySQL(), unix.socket = "$work/socket", user = "root", dbname = "d")
cat(format(dbGetQuery(connection, "$1")[[1]], digits = 10))
END
    chroot "$debian" Rscript --vanilla "$work/ask.R" 2>"$work/warnings"
}
same "INT -2147483648" NA "$(ask 'SELECT i FROM t')"
same "its warnings" "" "$(cat "$work/warnings")"
same "whether the server has NULL there" 0 "$(ask 'SELECT i IS NULL FROM t')"
same "BIGINT -2147483648" -2147483648 "$(ask 'SELECT b FROM t')"
same "X'61006200'" a "$(ask 'SELECT bytes FROM t')"
same "its length" 4 "$(ask 'SELECT LENGTH(bytes) FROM t')"
