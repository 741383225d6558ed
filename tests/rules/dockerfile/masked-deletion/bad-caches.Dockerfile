FROM node:22
RUN npm ci --omit=dev
# expect: masked-deletion
RUN rm -rf /root/.npm
RUN pip3 install flask && go build ./...
# expect: masked-deletion
RUN rm -rf /root/.cache
