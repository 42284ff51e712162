<?php
// What the two PHP clients share: commands a line from standard input, answers a line, and values as [kind, text].

function shown($value) {
    if ($value === null) return null;
    if (is_int($value)) return ["int", (string) $value];
    if (is_float($value)) return ["float", json_encode($value)];
    return preg_match("//u", $value) ? ["str", $value] : ["bytes", bin2hex($value)];
}

/** A parameter of the driver as the client takes it: its type, and its value. */
function parameter($sent) {
    [$kind, $text] = $sent;
    // Beyond PHP's whole numbers it goes as text.
    if ($kind === "int" && (string) (int) $text === $text) return ["int", (int) $text];
    return $kind === "bytes" ? ["bytes", hex2bin($text)] : ["str", $text];
}

/** Answers one command after the other. `refused`: number, SQLSTATE and message of what the server said. */
function serve($work, $refused) {
    ini_set("precision", "17");
    ini_set("serialize_precision", "-1");
    while (($line = fgets(STDIN)) !== false) {
        $command = json_decode($line, true, 512, JSON_BIGINT_AS_STRING);
        try {
            $answer = $work[$command["do"]]($command) ?? new stdClass();
        } catch (Exception $e) {
            $error = $refused($e);
            if (!$error) throw $e;
            $answer = ["error" => $error];
        }
        echo json_encode($answer, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";
        fflush(STDOUT);
    }
}
