# Answers every request with a file: serve.pl PORT FILE
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $file) = @ARGV;
$SIG{TERM} = sub { exit 0 };
my $listener = IO::Socket::INET->new(LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "$port: $!\n";
print STDERR "listening\n";
while (1) {
    my $caller = $listener->accept or next;
    while (defined(my $line = <$caller>)) { last if $line =~ /^\r?\n$/ }
    open my $answer, '<', $file or die "$file: $!\n";
    my $text = join '', <$answer>;
    print $caller "HTTP/1.1 200 OK\r\nContent-Length: " . length($text) . "\r\nConnection: close\r\n\r\n$text";
    close $caller;
}
