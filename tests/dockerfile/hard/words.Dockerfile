from a as b
RUN
run		true
COPY --from=b   --link   a	b
COPY -- --x y
COPY --chown="a b" --chmod=\7 x y
COPY - x
RUN -- a
CMD []
CMD [ "a" , "b" ]
CMD ["a" "b"]
CMD [a]
CMD ["\u00e9\"\/", "é"]
HEALTHCHECK   CMD    ["x"]
HEALTHCHECK --retries=1 --interval=1s CMD x
   USER    app   
	EXPOSE 1\
2
