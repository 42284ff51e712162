# syntax=docker/dockerfile:1
# docker build -t dbtrail-shim .
# docker run -p 3308:3308 -v /etc/dbtrail-shim:/etc/dbtrail-shim:ro dbtrail-shim
#
# In a container shim.yaml needs `listen: 0.0.0.0:3308`, and then `tls:` unless the network is the container's own; its files must be
# readable by uid 65532. As agent: `docker run --no-healthcheck -v history:/data -v /etc/dbtrail-shim:/etc/dbtrail-shim:ro dbtrail-shim agent --config
# /etc/dbtrail-shim/agent.yaml`, with `listen: 0.0.0.0:8600` and `data: /data` in it; `docker exec ... dbtrail-shim agent status --data /data` asks it.

FROM rust:1.95-bookworm AS build
WORKDIR /build
# --build-arg DBTRAIL_COMMIT=$(git rev-parse --short=12 HEAD): what `--version` names.
ARG DBTRAIL_COMMIT=
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY src src
COPY crates crates
COPY deploy/probe.rs deploy/probe.rs
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --locked --release --features object-store --bin dbtrail-shim \
    && install -D --strip target/release/dbtrail-shim /out/usr/local/bin/dbtrail-shim \
    && install -d -m 0700 /out/data \
    && rustc --edition 2024 -C opt-level=2 -C strip=symbols -o /out/usr/local/bin/probe deploy/probe.rs

# libc, libgcc, CA certificates, tzdata; no shell, no package manager; uid 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/usr /usr
USER 65532:65532
EXPOSE 3308 8600
STOPSIGNAL SIGTERM
# Connects to the port as a client would and waits for the greeting. It says that the shim takes connections, not that the agent answers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/usr/local/bin/probe", "127.0.0.1:3308"]
ENTRYPOINT ["/usr/local/bin/dbtrail-shim"]
CMD ["--config", "/etc/dbtrail-shim/shim.yaml"]
