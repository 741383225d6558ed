FROM ruby:3.4
# expect: sources-before-dependencies
COPY . .
# bundler is pinned
RUN bundle install
