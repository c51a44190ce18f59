// Bundles the dashboard's own service as Vite does, and calls its functions: a line of JSON in, a line out.

import { createInterface } from "node:readline";
import { build } from "esbuild";

const [source, apiBase] = process.argv.slice(2);
const { outputFiles } = await build({
  entryPoints: [source],
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  define: { "import.meta.env.VITE_WHATSAPP_SERVICE_URL": JSON.stringify(apiBase) },
});
const bundle = Buffer.from(outputFiles[0].contents).toString("base64");
const service = await import(`data:text/javascript;base64,${bundle}`);

for await (const line of createInterface({ input: process.stdin })) {
  const { call, args } = JSON.parse(line);
  let answer;
  try {
    answer = call === "names" ? Object.keys(service) : await service[call](...args);
  } catch (error) {
    answer = { success: false, error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
