FROM debian:12
# expect: apt-recommends @6:9
RUN <<EOF
apt-get update
echo apt-get install a
apt-get install a
EOF
# expect: apt-recommends @11:10
RUN bash <<-'EOF' && true
	# apt-get install b
	apt-get	install c
	EOF
