# The mysql2 of Ruby for the matrix: commands a line from standard input, answers a line.
require "bigdecimal"
require "json"
require "mysql2"

def shown(value)
  case value
  when nil then nil
  when Integer then ["int", value.to_s]
  when Float then ["float", value.to_s]
  when BigDecimal then ["decimal", value.to_s("F")]
  when Time then ["datetime", value.strftime("%Y-%m-%d %H:%M:%S.%6N").rjust(26, "0")]
  when Date then ["date", value.strftime("%Y-%m-%d")]
  when String then ["raw", value.unpack1("H*")]
  else [value.class.name, value.to_s]
  end
end

def parameter(sent)
  kind, text = sent
  return Integer(text) if kind == "int"
  return [text].pack("H*") if kind == "bytes"
  text
end

def table(result)
  return {} unless result
  { columns: result.fields, rows: result.map { |row| row.map { |value| shown(value) } } }
end

client = nil
work = {
  "connect" => lambda { |o|
    options = { host: "127.0.0.1", port: o["port"], username: o["user"], password: o["password"], database: o["database"],
                encoding: "utf8mb4", as: :array, database_timezone: :utc, application_timezone: :utc, reconnect: true }
    options.merge!(sslca: o["ca"], ssl_mode: :verify_identity, sslverify: true) if o["tls"]
    client = Mysql2::Client.new(options)
    {}
  },
  # What it makes of text by itself is lossy for TIME and TIMESTAMP: the text as it came.
  "query" => ->(o) { table(client.query(o["sql"], cast: false)) },
  "prepared" => lambda { |o|
    statement = client.prepare(o["sql"])
    begin
      table(statement.execute(*o["parameters"].map { |sent| parameter(sent) }))
    ensure
      statement.close
    end
  },
  "ping" => ->(_) { client.ping or raise "the ping failed"; {} }
}

$stdout.sync = true
while (line = $stdin.gets)
  command = JSON.parse(line)
  begin
    answer = work.fetch(command["do"]).call(command)
  rescue Mysql2::Error => e
    raise unless e.error_number.to_i.positive?
    answer = { error: [e.error_number, e.sql_state, e.message] }
  end
  puts JSON.generate(answer)
end
