FROM a
RUN echo a\\
RUN echo b \   	
 c
RUN \
\
  \
  true \


# c
  && false

\
ENV \
 a=b
RUN x \