// Exits with 0 if the platform answers. `/api/health` answers 503 while a service behind it is away.
const port = process.env.PORT ?? 3000;
const response = await fetch(`http://127.0.0.1:${port}/api/health`, { signal: AbortSignal.timeout(4000) });
process.exitCode = response.ok ? 0 : 1;
