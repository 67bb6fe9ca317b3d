# The server in an image of one file. Build: docker build -t parley .
# Run: docker run --read-only -p 8080:8080 -p 8081:8081/udp -p 8081:8081/tcp -v parley:/data parley
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY LICENSE Makefile ./
COPY app app
COPY server server
COPY shared shared
COPY wasm wasm
COPY web web
ARG VERSION=dev
ARG COMMIT=unknown
RUN make build VERSION=$VERSION COMMIT=$COMMIT
RUN install -d -m 0700 -o 65532 -g 65532 /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /data /data
COPY --from=build /src/bin/parley /parley
USER 65532:65532
ENV PARLEY_DATA_DIR=/data
VOLUME /data
EXPOSE 8080/tcp 8081/udp 8081/tcp
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/parley", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/parley"]
CMD ["serve"]
