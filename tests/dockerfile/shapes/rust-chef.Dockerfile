# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM rust:1.83-slim AS base
RUN cargo install --locked cargo-chef sccache
ENV RUSTC_WRAPPER=sccache SCCACHE_DIR=/sccache
WORKDIR /src

FROM base AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM base as build
COPY --from=plan /src/recipe.json recipe.json
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=$SCCACHE_DIR,sharing=locked \
    cargo chef cook --release --recipe-path recipe.json
COPY . .
RUN cargo build --release --bin lantern \
    # symbols are kept beside the program
    && objcopy --only-keep-debug target/release/lantern lantern.dbg \
    && strip target/release/lantern

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 \
    && rm -rf /var/lib/apt/lists/* ; \
    adduser --system --uid 10001 lantern
COPY --from=build /src/target/release/lantern /usr/bin/
USER lantern
CMD ["lantern"]
