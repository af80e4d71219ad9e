# The image that Lambda runs. `make image` builds it, for your own policies too, and fills in the labels.
ARG GO_IMAGE=docker.io/library/golang:1.26
ARG PYTHON_IMAGE=public.ecr.aws/lambda/python:3.13

# What a team brings: --build-context policies=FOLDER and --build-context policy_tests=FOLDER replace these two.
FROM scratch AS policies
COPY policies/ /
FROM scratch AS policy_tests
COPY policy_tests/ /

FROM --platform=${BUILDPLATFORM} ${GO_IMAGE} AS opa
ARG TARGETARCH
WORKDIR /src
COPY handler/opa_binary/go.mod handler/opa_binary/go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags "-s -w" -o /out/opa github.com/open-policy-agent/opa

FROM ${PYTHON_IMAGE} AS packages
COPY requirements.txt /build/requirements.txt
RUN pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-cache-dir --no-compile \
        --only-binary :all: --require-hashes --target /build/packages --requirement /build/requirements.txt \
 && rm -rf /build/packages/bin \
 && python -m compileall -q -s /build/packages -p /var/task --invalidation-mode unchecked-hash /build/packages \
 && chmod -R a+rX /build/packages

# Policies that do not compile, whose tests fail or whose data files are not right end the build here.
FROM packages AS checked
COPY --from=opa /out/opa /opt/opa/bin/opa
COPY handler/ /build/task/handler/
COPY policies/gate/ /build/task/handler/engine/gate/
COPY policy_tests/gate/helper/ /build/task/handler/engine/helper/
COPY --from=policies / /build/task/policies/
COPY --from=policy_tests / /build/policy_tests/
WORKDIR /build/task
RUN mkdir handler/engine/register \
 && PATH=/opt/opa/bin:${PATH} PYTHONPATH=/build/packages python -B -m handler.cli check policies --tests ../policy_tests
ARG POLICY_REVISION=unknown
RUN python -B -c 'import sys; from handler.bundle import Folder; sys.exit(sys.argv[1] not in ("unknown", Folder("policies").revision))' \
        "${POLICY_REVISION}" || { echo "the policies are not those of revision ${POLICY_REVISION}" >&2; exit 1; }
ARG POLICY_VERSION=
RUN [ -z "${POLICY_VERSION}" ] || echo "${POLICY_VERSION}" > policies/.version; \
    rm -rf handler/cli handler/check handler/opa_binary handler/engine/helper policies/gate \
 && python -m compileall -q -s /build/task -p /var/task --invalidation-mode unchecked-hash handler \
 && chmod -R a+rX .

FROM ${PYTHON_IMAGE}
COPY --from=opa /out/opa /opt/opa/bin/opa
COPY --from=packages /build/packages/ ${LAMBDA_TASK_ROOT}/
COPY --from=checked /build/task/ ${LAMBDA_TASK_ROOT}/
ENV OPA_PATH=/opt/opa/bin/opa
ARG VERSION=unknown
ARG POLICY_REVISION=unknown
ARG POLICY_VERSION=
LABEL org.opencontainers.image.title=portcullis \
      org.opencontainers.image.version=${VERSION} \
      portcullis.policy=${POLICY_REVISION} \
      portcullis.policy.version=${POLICY_VERSION}
# Lambda runs every image as a user of its own; elsewhere this is "nobody".
USER 65534
CMD ["handler.app.lambda_handler"]
