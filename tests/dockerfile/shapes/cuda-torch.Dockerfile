# syntax=docker/dockerfile:1
# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
ARG BASE_IMAGE=ubuntu:22.04
ARG PYTHON_VERSION=3.11

FROM ${BASE_IMAGE} as dev-base
RUN apt-get update && apt-get install -y --no-install-recommends build-essential ccache cmake git && \
    rm -rf /var/lib/apt/lists/*
RUN /usr/sbin/update-ccache-symlinks
RUN mkdir /opt/ccache && ccache --set-config=cache_dir=/opt/ccache
ENV PATH /opt/conda/bin:$PATH

FROM dev-base as conda
ARG PYTHON_VERSION=3.11
ARG TARGETPLATFORM
RUN case ${TARGETPLATFORM} in \
         "linux/arm64")  ARCH=aarch64  ;; \
         *)              ARCH=x86_64   ;; \
    esac && \
    curl -fsSL -o ~/installer.sh "https://example.org/installer-${ARCH}.sh"
RUN chmod +x ~/installer.sh && bash ~/installer.sh -b -p /opt/conda && rm ~/installer.sh

FROM conda as build
WORKDIR /opt/tensors
COPY --from=conda /opt/conda /opt/conda
COPY . .
RUN --mount=type=cache,target=/opt/ccache \
    export USE_CUDA=1 && \
    TORCH_CUDA_ARCH_LIST="7.0 7.2 8.0 8.6+PTX" TORCH_NVCC_FLAGS="-Xfatbin -compress-all" \
    CMAKE_PREFIX_PATH="$(dirname $(which conda))/../" \
    python setup.py install

FROM ${BASE_IMAGE} as official
ARG TRITON_VERSION
LABEL com.example.volumes.needed="driver"
COPY --from=build /opt/conda /opt/conda
RUN if test -n "${TRITON_VERSION}" -a "${TARGETPLATFORM}" != "linux/arm64"; then \
        apt-get install -y --no-install-recommends gcc; \
    fi; rm -rf /var/lib/apt/lists/*
ENV PATH /opt/conda/bin:$PATH
ENV NVIDIA_VISIBLE_DEVICES all
ENV NVIDIA_DRIVER_CAPABILITIES compute,utility
ENV LD_LIBRARY_PATH /usr/local/nvidia/lib:/usr/local/nvidia/lib64
WORKDIR /workspace

FROM official as dev
COPY --from=build /opt/tensors /opt/tensors
CMD ["bash"]
