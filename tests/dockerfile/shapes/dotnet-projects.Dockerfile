# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM mcr.example.com/dotnet/aspnet:9.0 AS base
USER $APP_UID
WORKDIR /app
EXPOSE 8080
EXPOSE 8081

FROM --platform=linux/amd64 mcr.example.com/dotnet/sdk:9.0 AS build
ARG BUILD_CONFIGURATION=Release
WORKDIR /src
COPY ["src/Quay.Api/Quay.Api.csproj", "src/Quay.Api/"]
COPY ["src/Quay.Core/Quay.Core.csproj", "src/Quay.Core/"]
COPY ["src/Quay With Blanks/Quay.csproj", "src/Quay With Blanks/"]
RUN dotnet restore "./src/Quay.Api/Quay.Api.csproj"
COPY . .
WORKDIR "/src/src/Quay.Api"
RUN dotnet build "./Quay.Api.csproj" -c $BUILD_CONFIGURATION -o /app/build

FROM build AS publish
ARG BUILD_CONFIGURATION=Release
RUN dotnet publish "./Quay.Api.csproj" -c $BUILD_CONFIGURATION -o /app/publish /p:UseAppHost=false

FROM base AS final
WORKDIR /app
COPY --from=publish /app/publish .
ENTRYPOINT ["dotnet", "Quay.Api.dll"]
