// An application with the TypeScript client of MCP, from being let in to money. What its member has to do it says as
// lines of JSON on standard output, {"open": ADDRESS} among them, and goes on when a line comes in.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [address, today] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Have the member do something; what came of it. */
async function member(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
  return (await lines.next()).value;
}

/** The application's own page: the last answer that it was told. */
let told;
const page = createServer((request, response) => {
  told = new URL(request.url, "http://127.0.0.1").searchParams;
  response.end("Done");
});
await new Promise((ready) => page.listen(0, "127.0.0.1", ready));

const kept = {};
const provider = {
  redirectUrl: `http://127.0.0.1:${page.address().port}/callback`,
  get clientMetadata() {
    return {
      client_name: "Skriver",
      redirect_uris: [this.redirectUrl],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    };
  },
  state: () => (kept.state = randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  invalidateCredentials: () => void delete kept.tokens,
  async redirectToAuthorization(url) {
    await member({ open: url.href });
  },
};

/** A client at the address, with what is kept. */
async function connected() {
  const client = new Client({ name: "Skriver", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(address), { authProvider: provider });
  await client.connect(transport);
  return client;
}

const first = new StreamableHTTPClientTransport(new URL(address), { authProvider: provider });
await assert.rejects(new Client({ name: "Skriver", version: "1.0.0" }).connect(first), UnauthorizedError);
assert.equal(told.get("state"), kept.state);
assert.equal(told.get("iss"), new URL(address).origin);
await first.finishAuth(told.get("code"));
const client = await connected();

/** What a tool gives that must succeed. */
async function did(name, values = {}) {
  const result = await client.callTool({ name, arguments: values });
  assert.ok(!result.isError, JSON.stringify(result));
  return result.structuredContent;
}
const commit = (preview) => did("commit_preview", { previewId: preview.previewId });

const { tools } = await client.listTools();
assert.ok(tools.some((tool) => tool.name === "send_document"));
const [product] = (await did("search", { query: "KURSUS" })).data;
const [other] = (await did("list_customers")).data;
const { customer } = await did("save_customer", {
  customerNumber: "2", customerType: "company", name: "Skibssmedjen ApS", vatZone: "domestic", countryCode: "DK",
  customerGroupId: other.customerGroupId, email: "smed@skibssmedjen.example", address: "Havnegade 1",
  postalCode: "8000", city: "Aarhus C",
});
const order = { customerId: customer.id, date: today };
const { quote } = await did("draft_quote", { ...order, lines: [{ priceId: product.priceId, quantity: 3 }] });
await commit(await did("send_document", { type: "quote", documentId: quote.id, deliveryType: "Manual" }));
const { made } = await did("convert_quote", { quoteId: quote.id, target: "invoice" });
const preview = await did("send_document", { type: "invoice", documentId: made.id, deliveryType: "Manual" });
assert.equal((await did("list_journal_entries")).total, 0);
const sent = await commit(preview);
assert.equal(sent.entries.length, 1);
assert.deepEqual(await commit(preview), { ...sent, idempotencyReplay: true });
await commit(await did("register_payment", { invoiceId: made.id, date: today, amount: "200.00" }));

const { invoice } = await did("draft_invoice", { ...order, lines: [{ priceId: product.priceId, quantity: 90 }] });
const larger = await did("send_document", { type: "invoice", documentId: invoice.id, deliveryType: "Manual" });
const refused = await client.callTool({ name: "commit_preview", arguments: { previewId: larger.previewId } });
assert.equal(refused.structuredContent.code, "APPROVAL_REQUIRED");
await member({ approve: refused.structuredContent.details.approvalUrl });
assert.equal((await commit(larger)).status, "committed");
assert.equal((await did("explain_balance", { customerId: customer.id })).closing, "11425.00");
assert.equal((await did("get_trial_balance")).totals.closing, "0.00");

await member({ revoke: "Skriver" });
await assert.rejects(did("get_company"), (fault) => fault instanceof UnauthorizedError || fault.code === 401);
await client.close();
page.close();
process.stdout.write(`${JSON.stringify({ done: true })}\n`);
process.exit(0);
