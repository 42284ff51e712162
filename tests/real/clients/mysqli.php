<?php
// mysqli for the matrix.
require __DIR__ . "/values.php";

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function connected($o) {
    $link = mysqli_init();
    if ($o["tls"]) {
        $link->ssl_set(null, null, $o["ca"], null, null);
        $link->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, true);
    }
    $link->real_connect("127.0.0.1", $o["user"], $o["password"], $o["database"], $o["port"], null, $o["tls"] ? MYSQLI_CLIENT_SSL : 0);
    $link->set_charset("utf8mb4");
    return $link;
}

function table($result) {
    if (!$result instanceof mysqli_result) return null;
    $names = array_map(fn($field) => $field->name, $result->fetch_fields());
    return ["columns" => $names, "rows" => array_map(fn($row) => array_map("shown", $row), $result->fetch_all(MYSQLI_NUM))];
}

$link = null;
serve([
    "connect" => function ($o) use (&$link) { $link = connected($o); },
    "query" => function ($o) use (&$link) { return table($link->query($o["sql"])); },
    "prepared" => function ($o) use (&$link) {
        $statement = $link->prepare($o["sql"]);
        $sent = array_map("parameter", $o["parameters"]);
        if ($sent) {
            $types = implode("", array_map(fn($p) => $p[0] === "int" ? "i" : "s", $sent));
            $statement->bind_param($types, ...array_column($sent, 1));
        }
        $statement->execute();
        return table($statement->get_result());
    },
    "change_user" => function ($o) use (&$link) { $link->change_user($o["user"], $o["password"], $o["database"]); },
    "ping" => function ($o) use (&$link) { $link->ping(); },
], fn($e) => $e instanceof mysqli_sql_exception && $e->getCode() > 0 ? [$e->getCode(), $e->getSqlState(), $e->getMessage()] : null);
