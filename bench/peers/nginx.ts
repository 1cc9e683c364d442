import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Peer } from "./peer.ts";
import { startPinned } from "./pinned-process.ts";

const run = promisify(execFile);

/** One worker, kept-alive upstream connections, no buffering of answers, request bodies in memory, no access log. */
const configuration = (port: number, upstreamPort: number, directory: string): string => `
${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  client_max_body_size 32m;
  client_body_buffer_size 1m;
  tcp_nodelay on;
  keepalive_requests 100000000;
  upstream messages {
    server 127.0.0.1:${upstreamPort};
    keepalive 2048;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://messages;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`;

export const nginx: Peer = {
  name: "nginx",
  description: "a plain reverse proxy without buffering: it knows nothing of messages, tokens or money",
  answers: "exact",
  mayFallBehind: false,
  available: async () => {
    try {
      await run("nginx", ["-v"]);
      return null;
    } catch {
      return "nginx is not installed: apt-get install -y nginx-light (and keep its service stopped)";
    }
  },
  version: async () => (await run("nginx", ["-v"])).stderr.replace("nginx version: nginx/", "").trim(),
  start: async ({ port, upstreamPort, cpus, directory, logFile }) => {
    const file = join(directory, "nginx.conf");
    writeFileSync(file, configuration(port, upstreamPort, directory));
    const running = await startPinned({
      cpus: cpus.gateway,
      command: "nginx",
      args: ["-c", file, "-e", "stderr", "-p", directory],
      logFile,
      readyUrl: `http://127.0.0.1:${port}/`,
    });
    return { ...running, headers: {} };
  },
};
