# The gateway, the Telegram bot and the person's command: one program, `argus`, in an image of its own.
#
#   docker build -t argus .
#
# Works with BuildKit and with the classic builder. The stages up to `built` are word for word those of
# Dockerfile.runtime, so that both images come from one compilation.
ARG RUST_IMAGE=rust:1.95-bookworm
ARG BASE_IMAGE=debian:bookworm-slim

# The manifests alone, with empty sources: as long as they stay the same, the dependencies stay built.
FROM ${RUST_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN set -eu; mkdir /manifests; cp --parents Cargo.toml Cargo.lock xtask/Cargo.toml */*/Cargo.toml /manifests; \
    for manifest in xtask/Cargo.toml */*/Cargo.toml; do \
      package=${manifest%/Cargo.toml}; mkdir -p "/manifests/$package/src"; \
      if [ -f "$package/src/main.rs" ]; then echo '#![allow(missing_docs)] fn main() {}' >"/manifests/$package/src/main.rs"; fi; \
      if [ -f "$package/src/lib.rs" ] || [ ! -f "$package/src/main.rs" ]; then echo '#![allow(missing_docs)]' >"/manifests/$package/src/lib.rs"; fi; \
      for bench in "$package"/benches/*.rs; do \
        if [ -f "$bench" ]; then mkdir -p "/manifests/$package/benches"; echo '#![allow(missing_docs)] fn main() {}' >"/manifests/$bench"; fi; \
      done; \
    done

FROM ${RUST_IMAGE} AS built
# Another profile of Cargo.toml builds faster and larger.
ARG PROFILE=release
WORKDIR /src
COPY --from=manifests /manifests .
RUN cargo build --locked --profile "$PROFILE" --package argus --package argus-runtime-bridge --package argus-node-host
COPY apps apps
COPY crates crates
COPY docs/templates docs/templates
COPY deploy/seccomp deploy/seccomp
# Cargo goes by times, and these sources may be older than the empty ones that were just built.
RUN set -eu; find apps crates -name '*.rs' -exec touch {} +; \
    cargo build --locked --profile "$PROFILE" --package argus --package argus-runtime-bridge --package argus-node-host; \
    mkdir /built; cp "target/$PROFILE/argus" "target/$PROFILE/argus-runtime-bridge" "target/$PROFILE/argus-node-host" /built

# Only what `argus` needs: no shell, no package manager, nothing to keep up to date but glibc and certificates.
FROM ${BASE_IMAGE} AS files
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata
COPY --from=built /built/argus /image/usr/local/bin/argus
RUN set -eu; cd /image; \
    mkdir -p etc/ssl/certs usr/share tmp run/argus var/lib/argus; chmod 1777 tmp; \
    for library in $(ldd usr/local/bin/argus | grep -o '/[^ ]*'); do cp -L --parents "$library" .; done; \
    cp -L /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/; \
    cp -a /usr/share/zoneinfo usr/share/; \
    echo 'hosts: files dns' >etc/nsswitch.conf; \
    echo 'root:x:0:0:root:/root:/sbin/nologin' >etc/passwd; \
    echo 'argus:x:10001:10001:Argus:/var/lib/argus:/sbin/nologin' >>etc/passwd; \
    printf 'root:x:0:\nargus:x:10001:\n' >etc/group; \
    chown 10001:10001 run/argus var/lib/argus

FROM scratch
LABEL org.opencontainers.image.title="Argus" \
      org.opencontainers.image.description="The gateway, the Telegram bot and the person's command" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=files /image /
ENV PATH=/usr/local/bin HOME=/var/lib/argus
WORKDIR /var/lib/argus
EXPOSE 8080
# `docker compose` starts it as root for a moment: `argus enter` takes the group of the engine's socket and gives the
# rest away. Without that it needs no rights at all.
USER 10001:10001
ENTRYPOINT ["argus"]
CMD ["gateway"]
