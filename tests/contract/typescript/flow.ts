// What an administrator does with a new developer, through the types that openapi-typescript makes of the document.

import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

declare const process: { env: Record<string, string | undefined> };

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const baseUrl = setting("BASE_URL");

/** What an answer brought; an error ends the program. */
function got<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function ask(key: string): Promise<number> {
  const response = await fetch(`${baseUrl}/ak/${key}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
    body: setting("MESSAGE"),
  });
  await response.arrayBuffer();
  return response.status;
}

const login = createClient<paths>({ baseUrl });
const basic = btoa(`${setting("ADMIN_NAME")}:${setting("ADMIN_PASSWORD")}`);
const session = got(await login.POST("/admin/auth/login", { headers: { authorization: `Basic ${basic}` } }));
const admin = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${session.token}` } });

const user = got(await admin.POST("/admin/users", { body: { name: setting("DEVELOPER"), monthly_budget_usd: "12.50" } }));
const issued = got(
  await admin.POST("/admin/users/{user_id}/access-keys", {
    params: { path: { user_id: user.id } },
    body: { label: "laptop", region: "us-east-1" },
  }),
);
const first = { params: { path: { access_key_id: issued.access_key.id } } };
got(await admin.PUT("/admin/access-keys/{access_key_id}/bedrock-key", { ...first, body: { key: setting("BEDROCK_KEY") } }));
const served = await ask(issued.key);

let usage = "";
for (const deadline = Date.now() + 20_000; !usage.includes(setting("TOKENS")) && Date.now() < deadline; ) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const query = { user_id: user.id };
  usage = JSON.stringify(got(await admin.GET("/admin/usage", { params: { query }, headers: { accept: "application/json" } })));
}

const rotated = got(
  await admin.POST("/admin/access-keys/{access_key_id}/rotate", { ...first, body: { grace_seconds: 300 } }),
);
const servedInGrace = await ask(issued.key);
const servedAfterwards = await ask(rotated.key);
for (const { id } of [issued.access_key, rotated.access_key]) {
  const answer = await admin.DELETE("/admin/access-keys/{access_key_id}", { params: { path: { access_key_id: id } } });
  if (answer.error) throw new Error(JSON.stringify(answer.error));
}
const unknown = await admin.GET("/admin/users/{user_id}", {
  params: { path: { user_id: "00000000-0000-4000-8000-000000000000" } },
});

console.log(
  JSON.stringify({
    user_id: user.id,
    budget: user.monthly_budget_usd,
    routing: user.routing,
    answers: [served, servedInGrace, servedAfterwards, await ask(rotated.key)],
    usage: JSON.parse(usage),
    unknown: unknown.error?.error.code,
  }),
);
