# RMySQL for the matrix: commands a line from standard input, answers a line.
suppressPackageStartupMessages({
  library(RMySQL)
  library(jsonlite)
})

connection <- NULL

# A text is the bytes that came; R has numbers of 64 bits in binary, and none other, for all that is a number.
shown <- function(value) {
  if (is.na(value)) return(NULL)
  if (is.numeric(value)) return(list("num", sprintf("%.17g", value)))
  list("raw", paste(format(charToRaw(value)), collapse = ""))
}

# The number of an error and its text; RMySQL knows no SQLSTATE.
refused <- function(told) {
  list(error = list(told$errorNum, "", told$errorMsg))
}

table_of <- function(result) {
  on.exit(dbClearResult(result))
  names <- dbColumnInfo(result)$name
  if (length(names) == 0) return(list(columns = list(), rows = list()))
  frame <- suppressWarnings(fetch(result, n = -1))
  rows <- lapply(seq_len(nrow(frame)), function(i) lapply(seq_along(names), function(j) shown(frame[i, j])))
  list(columns = as.list(names), rows = rows)
}

# A user, a certificate authority and a password are told in an option file: RMySQL has no other way to ask for TLS.
connect <- function(o) {
  options <- tempfile()
  on.exit(unlink(options))
  secure <- if (o$tls) c(paste0("ssl-ca=", o$ca), "ssl-verify-server-cert") else NULL
  writeLines(c("[client]", "default-character-set=utf8mb4", secure), options)
  tryCatch({
    connection <<- dbConnect(MySQL(), host = "127.0.0.1", port = o$port, user = o$user, password = o$password,
                             dbname = o$database, default.file = options)
    dbClearResult(dbSendQuery(connection, "SET NAMES utf8mb4"))
    setNames(list(), character())
  }, error = function(e) {
    # Where there is no connection, the number is not told: it is in the text of the error alone, or not at all.
    text <- conditionMessage(e)
    number <- if (grepl("Access denied", text)) 1045 else stop(e)
    list(error = list(number, "", text))
  })
}

query <- function(sql) {
  tryCatch(table_of(suppressWarnings(dbSendQuery(connection, sql))), error = function(e) {
    told <- dbGetException(connection)
    if (told$errorNum == 0) stop(e)
    refused(told)
  })
}

input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1, warn = FALSE, encoding = "UTF-8")) > 0) {
  command <- fromJSON(line)
  answer <- switch(command$do, connect = connect(command), query = query(command$sql), stop("unknown command"))
  cat(toJSON(answer, auto_unbox = TRUE, null = "null"), "\n", sep = "")
}
