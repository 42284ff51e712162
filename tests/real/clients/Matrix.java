// MariaDB Connector/J for the matrix: commands a line from standard input, answers a line. JSON by hand, since the JDK has none.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.*;

public class Matrix {
    static Connection connection;
    static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS");

    public static void main(String[] arguments) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line; (line = in.readLine()) != null; ) {
            String answer;
            try {
                answer = run(new Json(line).object());
            } catch (SQLException e) {
                if (e.getErrorCode() <= 0) throw e;
                // The connector puts the number of the connection before what the server said.
                String message = e.getMessage().replaceFirst("^\\(conn=\\d+\\) ", "");
                answer = "{\"error\": [" + e.getErrorCode() + ", " + quoted(e.getSQLState()) + ", " + quoted(message) + "]}";
            }
            out.println(answer);
        }
    }

    static String run(Map<String, Object> o) throws Exception {
        switch ((String) o.get("do")) {
            case "connect":
                Properties p = new Properties();
                p.put("user", o.get("user"));
                p.put("password", o.get("password"));
                p.put("useServerPrepStmts", "true");
                p.put("yearIsDateType", "false");
                p.put("tinyInt1isBit", "false");
                p.put("allowPublicKeyRetrieval", "true");
                if ((Boolean) o.get("tls")) {
                    p.put("useSsl", "true");
                    p.put("serverSslCert", o.get("ca"));
                }
                connection = DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + o.get("port") + "/" + o.get("database"), p);
                return "{}";
            case "query":
                // Without the property, this goes as text.
                try (Statement s = connection.createStatement()) {
                    return s.execute((String) o.get("sql")) ? table(s.getResultSet()) : "{}";
                }
            case "prepared":
                try (PreparedStatement s = connection.prepareStatement((String) o.get("sql"))) {
                    int i = 1;
                    for (Object sent : (List<?>) o.get("parameters")) set(s, i++, (List<?>) sent);
                    return table(s.executeQuery());
                }
            case "catalog":
                return catalog((String) o.get("schema"), (String) o.get("table"));
            case "ping":
                if (!connection.isValid(20)) throw new IllegalStateException("the connection is not valid");
                return "{}";
            default:
                throw new IllegalArgumentException(o.toString());
        }
    }

    /** Every question of DatabaseMetaData that goes to the server; of some, what is told of a table. */
    static String catalog(String schema, String name) throws SQLException {
        DatabaseMetaData meta = connection.getMetaData();
        for (ResultSet rows : List.of(
                meta.getCatalogs(), meta.getSchemas(), meta.getTableTypes(), meta.getTypeInfo(), meta.getTables(schema, null, "%", null),
                meta.getTables(schema, null, name, new String[] {"TABLE", "VIEW"}), meta.getColumnPrivileges(schema, null, name, "%"),
                meta.getTablePrivileges(schema, null, name), meta.getVersionColumns(schema, null, name), meta.getImportedKeys(schema, null, name),
                meta.getExportedKeys(schema, null, name), meta.getCrossReference(schema, null, name, schema, null, name),
                meta.getProcedures(schema, null, "%"), meta.getProcedureColumns(schema, null, "%", "%"), meta.getFunctions(schema, null, "%"),
                meta.getFunctionColumns(schema, null, "%", "%"), meta.getSuperTables(schema, null, name), meta.getUDTs(schema, null, "%", null)))
            table(rows);
        meta.getURL();
        return "{\"columns\": " + names(meta.getColumns(schema, null, name, "%"), "COLUMN_NAME")
            + ", \"key\": " + names(meta.getPrimaryKeys(schema, null, name), "COLUMN_NAME")
            + ", \"index\": " + names(meta.getIndexInfo(schema, null, name, true, true), "COLUMN_NAME")
            + ", \"best\": " + names(meta.getBestRowIdentifier(schema, null, name, DatabaseMetaData.bestRowSession, true), "COLUMN_NAME") + "}";
    }

    static String names(ResultSet rows, String column) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) found.add(quoted(rows.getString(column)));
        return "[" + String.join(", ", found) + "]";
    }

    static void set(PreparedStatement s, int i, List<?> sent) throws SQLException {
        String text = (String) sent.get(1);
        switch ((String) sent.get(0)) {
            case "int":
                BigInteger number = new BigInteger(text);
                // JDBC has no unsigned number: beyond Long it goes as a decimal.
                if (number.bitLength() < 64) s.setLong(i, number.longValue());
                else s.setBigDecimal(i, new BigDecimal(number));
                break;
            case "bytes": s.setBytes(i, HexFormat.of().parseHex(text)); break;
            case "datetime": s.setTimestamp(i, Timestamp.valueOf(LocalDateTime.parse(text, MOMENT))); break;
            default: s.setString(i, text);
        }
    }

    static String table(ResultSet rows) throws SQLException {
        ResultSetMetaData meta = rows.getMetaData();
        List<String> names = new ArrayList<>(), all = new ArrayList<>();
        for (int i = 1; i <= meta.getColumnCount(); i++) names.add(quoted(meta.getColumnLabel(i)));
        while (rows.next()) {
            List<String> cells = new ArrayList<>();
            for (int i = 1; i <= meta.getColumnCount(); i++) {
                // java.sql.Time has no hours beyond a day and no fraction: its text is the value.
                cells.add(meta.getColumnType(i) == Types.TIME ? time(rows.getString(i)) : shown(rows.getObject(i)));
            }
            all.add("[" + String.join(", ", cells) + "]");
        }
        return "{\"columns\": [" + String.join(", ", names) + "], \"rows\": [" + String.join(", ", all) + "]}";
    }

    static String time(String text) {
        return text == null ? "null" : pair("timetext", text);
    }

    static String pair(String kind, String text) {
        return "[" + quoted(kind) + ", " + quoted(text) + "]";
    }

    static String shown(Object value) {
        if (value == null) return "null";
        if (value instanceof BigDecimal d) return pair("decimal", d.toPlainString());
        if (value instanceof Float || value instanceof Double) return pair("float", value.toString());
        if (value instanceof Byte || value instanceof Short || value instanceof Integer || value instanceof Long || value instanceof BigInteger)
            return pair("int", value.toString());
        if (value instanceof Timestamp t) return pair("datetime", t.toLocalDateTime().format(MOMENT));
        if (value instanceof java.sql.Date d) return pair("date", d.toLocalDate().toString());
        if (value instanceof byte[] b) return pair("bytes", HexFormat.of().formatHex(b));
        if (value instanceof String s) return pair("str", s);
        if (value instanceof Boolean b) return pair("bool", b.toString());
        return pair(value.getClass().getName(), value.toString());
    }

    static String quoted(String text) {
        if (text == null) return "null";
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ' || Character.isSurrogate(c) || c > 0x7e) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    /** As much of JSON as the driver sends. */
    static class Json {
        final String text;
        int at = 0;

        Json(String text) { this.text = text; }

        char next() {
            while (text.charAt(at) == ' ' || text.charAt(at) == ',' || text.charAt(at) == ':') at++;
            return text.charAt(at);
        }

        Map<String, Object> object() {
            Map<String, Object> found = new HashMap<>();
            next();
            at++;
            while (next() != '}') found.put((String) value(), value());
            at++;
            return found;
        }

        Object value() {
            switch (next()) {
                case '{': return object();
                case '[':
                    List<Object> list = new ArrayList<>();
                    at++;
                    while (next() != ']') list.add(value());
                    at++;
                    return list;
                case '"':
                    StringBuilder out = new StringBuilder();
                    for (at++; text.charAt(at) != '"'; at++) {
                        char c = text.charAt(at);
                        if (c != '\\') { out.append(c); continue; }
                        c = text.charAt(++at);
                        switch (c) {
                            case 'n': out.append('\n'); break;
                            case 't': out.append('\t'); break;
                            case 'r': out.append('\r'); break;
                            case 'b': out.append('\b'); break;
                            case 'f': out.append('\f'); break;
                            case 'u': out.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16)); at += 4; break;
                            default: out.append(c);
                        }
                    }
                    at++;
                    return out.toString();
                default:
                    int from = at;
                    while (at < text.length() && "}], ".indexOf(text.charAt(at)) < 0) at++;
                    String word = text.substring(from, at);
                    if (word.equals("true") || word.equals("false")) return word.equals("true");
                    return word.equals("null") ? null : (Object) Long.valueOf(word);
            }
        }
    }
}
