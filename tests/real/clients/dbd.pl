# DBD::mysql and DBD::MariaDB for the matrix: commands a line from standard input, answers a line. A value is the bytes that Perl has.
use strict;
use warnings;
use DBI;
use JSON::PP;

my $driver = shift @ARGV;
# Attributes have the name of the driver in front.
my $prefix = lc $driver;
my $json = JSON::PP->new->utf8;
my $link;
$| = 1;

sub shown {
    my ($value, $type) = @_;
    return undef unless defined $value;
    return ["float", sprintf("%.17g", $value)] if $type == DBI::SQL_DOUBLE || $type == DBI::SQL_FLOAT || $type == DBI::SQL_REAL;
    my $bytes = "$value";
    utf8::encode($bytes) if utf8::is_utf8($bytes);
    return ["raw", unpack("H*", $bytes)];
}

sub table {
    my ($statement) = @_;
    return {} unless $statement->{NUM_OF_FIELDS};
    my (@names, @types) = @{$statement->{NAME}};
    @types = @{$statement->{TYPE}};
    my @rows;
    for my $row (@{$statement->fetchall_arrayref}) {
        push @rows, [map { shown($row->[$_], $types[$_]) } 0 .. $#names];
    }
    return {columns => \@names, rows => \@rows};
}

sub attribute { return "${prefix}_$_[0]" }

my %work = (
    connect => sub {
        my ($o) = @_;
        my $place = "DBI:$driver:host=127.0.0.1;port=$o->{port};database=$o->{database}";
        my %options = (RaiseError => 1, PrintError => 0, AutoCommit => 1, attribute("auto_reconnect") => 1);
        # TLS that it insists on is "not supported" as Debian builds it; the server of this test insists.
        %options = (%options, mysql_enable_utf8mb4 => 1, mysql_ssl_optional => 1) if $driver eq "mysql";
        if ($o->{tls}) {
            %options = (%options, attribute("ssl") => 1, attribute("ssl_ca_file") => $o->{ca}, attribute("ssl_verify_server_cert") => 1);
        }
        my $password = $o->{password};
        utf8::encode($password);
        $link = DBI->connect($place, $o->{user}, $password, \%options);
        return {};
    },
    query => sub {
        my ($o) = @_;
        my $statement = $link->prepare($o->{sql}, {attribute("server_prepare") => 0});
        $statement->execute;
        return table($statement);
    },
    prepared => sub {
        my ($o) = @_;
        my $statement = $link->prepare($o->{sql}, {attribute("server_prepare") => 1, attribute("server_prepare_disable_fallback") => 1});
        my $i = 1;
        for my $sent (@{$o->{parameters}}) {
            my ($kind, $text) = @$sent;
            my $type = $kind eq "int" ? DBI::SQL_BIGINT : $kind eq "bytes" ? DBI::SQL_BLOB : DBI::SQL_VARCHAR;
            # Beyond a signed 64-bit number it goes as text.
            $type = DBI::SQL_VARCHAR if $kind eq "int" && $text ne int($text);
            $statement->bind_param($i++, $kind eq "bytes" ? pack("H*", $text) : $text, $type);
        }
        $statement->execute;
        return table($statement);
    },
    ping => sub { $link->ping or die "the ping failed"; return {} },
);

while (my $line = <STDIN>) {
    my $command = $json->decode($line);
    my $answer = eval { $work{$command->{do}}->($command) };
    if ($@) {
        my $failure = $@;
        my ($code, $state, $message) = ($DBI::err, $DBI::state, $DBI::errstr);
        die $failure unless $code && $code > 0;
        utf8::decode($message) unless utf8::is_utf8($message);
        $answer = {error => [$code + 0, $state, $message]};
    }
    print $json->encode($answer), "\n";
}
