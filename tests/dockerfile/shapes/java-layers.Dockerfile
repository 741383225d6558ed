# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM eclipse-temurin:21-jdk AS package
WORKDIR /app
COPY .mvn/ .mvn/
COPY mvnw pom.xml ./
RUN --mount=type=cache,target=/root/.m2 ./mvnw -B -q dependency:go-offline
COPY src ./src
RUN --mount=type=cache,target=/root/.m2 \
    ./mvnw -B -DskipTests package && mv target/*.jar app.jar

FROM package AS layers
RUN java -Djarmode=layertools -jar app.jar extract --destination /layers

FROM eclipse-temurin:21-jre AS final
ARG USER_ID=1001
LABEL org.opencontainers.image.title="ferry" \
      org.opencontainers.image.vendor='Example Ltd.'
RUN groupadd --gid ${USER_ID} spring \
 && useradd --uid ${USER_ID} --gid spring --create-home spring
WORKDIR /opt/ferry
COPY --from=layers --chown=spring:spring /layers/dependencies/ ./
COPY --from=layers --chown=spring:spring /layers/spring-boot-loader/ ./
COPY --from=layers --chown=spring:spring /layers/snapshot-dependencies/ ./
COPY --from=layers --chown=spring:spring /layers/application/ ./
ENV JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75.0 -XX:+ExitOnOutOfMemoryError"
USER spring
VOLUME /opt/ferry/logs
EXPOSE 8080
ENTRYPOINT exec java $JAVA_TOOL_OPTIONS org.springframework.boot.loader.launch.JarLauncher
