// go-sql-driver for the matrix: commands a line from standard input, answers a line.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

type command struct {
	Do, User, Password, Database, Ca, Sql string
	Port                                  int
	Tls                                   bool
	Parameters                            [][2]string
}

var pool *sql.DB

func shown(value interface{}) interface{} {
	pair := func(kind, text string) []string { return []string{kind, text} }
	switch v := value.(type) {
	case nil:
		return nil
	case int64:
		return pair("int", strconv.FormatInt(v, 10))
	case uint64:
		return pair("int", strconv.FormatUint(v, 10))
	case float32:
		return pair("float", strconv.FormatFloat(float64(v), 'g', -1, 32))
	case float64:
		return pair("float", strconv.FormatFloat(v, 'g', -1, 64))
	case time.Time:
		return pair("datetime", v.Format("2006-01-02 15:04:05.000000"))
	case []byte:
		return pair("raw", hex.EncodeToString(v))
	default:
		return pair(fmt.Sprintf("%T", v), fmt.Sprint(v))
	}
}

func parameter(sent [2]string) interface{} {
	switch kind, text := sent[0], sent[1]; kind {
	case "int":
		if small, err := strconv.ParseInt(text, 10, 64); err == nil {
			return small
		}
		big, _ := strconv.ParseUint(text, 10, 64)
		return big
	case "bytes":
		bytes, _ := hex.DecodeString(text)
		return bytes
	case "datetime":
		// With nine decimals, as the driver sends it.
		moment, _ := time.Parse("2006-01-02 15:04:05.000000", text)
		return moment
	default:
		return text
	}
}

func table(rows *sql.Rows, err error) (map[string]interface{}, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	all := [][]interface{}{}
	for rows.Next() {
		cells := make([]interface{}, len(names))
		places := make([]interface{}, len(names))
		for i := range cells {
			places[i] = &cells[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		for i := range cells {
			cells[i] = shown(cells[i])
		}
		all = append(all, cells)
	}
	return map[string]interface{}{"columns": names, "rows": all}, rows.Err()
}

func connect(c command) error {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = c.User, c.Password, c.Database
	config.Net, config.Addr = "tcp", fmt.Sprintf("127.0.0.1:%d", c.Port)
	if c.Tls {
		pem, err := os.ReadFile(c.Ca)
		if err != nil {
			return err
		}
		known := x509.NewCertPool()
		known.AppendCertsFromPEM(pem)
		if err := mysql.RegisterTLSConfig("ours", &tls.Config{RootCAs: known, ServerName: "localhost"}); err != nil {
			return err
		}
		config.TLSConfig = "ours"
	}
	var err error
	if pool, err = sql.Open("mysql", config.FormatDSN()); err != nil {
		return err
	}
	// One connection, which the pool replaces when it has ended.
	pool.SetMaxOpenConns(1)
	return pool.Ping()
}

func run(c command) (map[string]interface{}, error) {
	switch c.Do {
	case "connect":
		return map[string]interface{}{}, connect(c)
	case "query":
		return table(pool.Query(c.Sql))
	case "prepared":
		// database/sql prepares where there are parameters; without them this does.
		statement, err := pool.Prepare(c.Sql)
		if err != nil {
			return nil, err
		}
		defer statement.Close()
		parameters := []interface{}{}
		for _, sent := range c.Parameters {
			parameters = append(parameters, parameter(sent))
		}
		return table(statement.Query(parameters...))
	case "ping":
		return map[string]interface{}{}, pool.Ping()
	}
	return nil, fmt.Errorf("there is no %s", c.Do)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		answer, err := run(c)
		var refused *mysql.MySQLError
		if errors.As(err, &refused) {
			answer = map[string]interface{}{"error": []interface{}{refused.Number, nil, refused.Message}}
		} else if err != nil {
			panic(err)
		}
		if err := answers.Encode(answer); err != nil {
			panic(err)
		}
	}
}
