<?php
// PDO for the matrix. Text queries are those of PDO::query(); prepared ones are the server's.
require __DIR__ . "/values.php";

function connected($o) {
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => false];
    if ($o["tls"]) {
        $options += [PDO::MYSQL_ATTR_SSL_CA => $o["ca"], PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true];
    }
    $place = "mysql:host=127.0.0.1;port={$o["port"]};dbname={$o["database"]};charset=utf8mb4";
    return new PDO($place, $o["user"], $o["password"], $options);
}

function table($statement) {
    if (!$statement->columnCount()) return null;
    $names = [];
    for ($i = 0; $i < $statement->columnCount(); $i++) $names[] = $statement->getColumnMeta($i)["name"];
    $rows = array_map(fn($row) => array_map("shown", $row), $statement->fetchAll(PDO::FETCH_NUM));
    return ["columns" => $names, "rows" => $rows];
}

$pdo = null;
serve([
    "connect" => function ($o) use (&$pdo) { $pdo = connected($o); },
    "query" => function ($o) use (&$pdo) {
        // Without emulation PDO::query() prepares.
        $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, true);
        try {
            return table($pdo->query($o["sql"]));
        } finally {
            $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, false);
        }
    },
    "prepared" => function ($o) use (&$pdo) {
        $statement = $pdo->prepare($o["sql"]);
        foreach ($o["parameters"] as $i => $sent) {
            [$kind, $value] = parameter($sent);
            $statement->bindValue($i + 1, $value, ["int" => PDO::PARAM_INT, "bytes" => PDO::PARAM_LOB, "str" => PDO::PARAM_STR][$kind]);
        }
        $statement->execute();
        return table($statement);
    },
], fn($e) => $e instanceof PDOException && isset($e->errorInfo[1]) ? [$e->errorInfo[1], $e->errorInfo[0], preg_replace('/^SQLSTATE\[\w+\](?: \[\d+\]|: [^:]*: \d+)? /', '', $e->getMessage())] : null);
