# Whether somebody listens: healthy.pl PORT
use IO::Socket::INET;
exit !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ARGV[0], Timeout => 4);
