FROM a
RUN echo it's <<EOF
RUN echo <<'' x
RUN echo <<<here
RUN cat << EOF
RUN cat <<EOF
EOF 
 EOF
EOF	
EOF
RUN cat <<-EOF
		EOF
COPY <<a <<a /x
1
a
2
a
ADD <<"q" /x
q
RUN echo "a <<EOF" ${x:-<<EOF}
RUN echo \<<EOF
USER <<EOF
