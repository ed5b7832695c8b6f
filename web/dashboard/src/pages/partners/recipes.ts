/** Programs: those that submit one message with a key from the environment, and those that verify a webhook of ours. */
export const RECIPES = [
  'curl',
  'Python (gql)',
  'JavaScript (urql)',
  'Webhook (Python)',
  'Webhook (JavaScript)',
] as const;
export type Recipe = (typeof RECIPES)[number];

export const SUBMIT = `mutation ($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) {
    ... on SubmitFeedbackSuccess { feedback { id } }
    ... on Problem { message }
  }
}`;

const flat = (text: string) => text.replace(/\s+/g, ' ');

export function recipe(language: Recipe, url: string, workspaceId: string, body: string): string {
  const input = { workspaceId, body };
  switch (language) {
    case 'curl':
      return `curl ${url} \\
  -H "Authorization: Bearer $EARFUL_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${JSON.stringify({ query: flat(SUBMIT), variables: { input } }).replaceAll("'", "'\\''")}'`;
    case 'Python (gql)':
      return `# pip install "gql[httpx]"
import os

from gql import Client, gql
from gql.transport.httpx import HTTPXTransport

transport = HTTPXTransport(
    url=${JSON.stringify(url)},
    headers={"Authorization": f"Bearer {os.environ['EARFUL_API_KEY']}"},
)
submit = gql("""${SUBMIT}""")
submit.variable_values = {"input": ${JSON.stringify(input)}}
with Client(transport=transport) as session:
    print(session.execute(submit)["submitFeedback"])`;
    case 'JavaScript (urql)':
      return `// npm install @urql/core graphql
import { Client, fetchExchange } from '@urql/core';

const client = new Client({
  url: ${JSON.stringify(url)},
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetchOptions: { headers: { authorization: \`Bearer \${process.env.EARFUL_API_KEY}\` } },
});
const submit = \`${SUBMIT}\`;

const { data, error } = await client.mutation(submit, { input: ${JSON.stringify(input)} });
console.log(error ?? data.submitFeedback);`;
    case 'Webhook (Python)':
      return `# pip install standardwebhooks; SECRET is what was shown when the webhook was made.
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["SECRET"])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
        except WebhookVerificationError:
            return self.answer(400)
        self.answer(204)
        # The same webhook-id may come twice: remember those that were handled.
        print(self.headers["webhook-id"], event["type"], event["data"])

    def answer(self, status):
        self.send_response(status)
        self.end_headers()


HTTPServer(("", 8080), Handler).serve_forever()`;
    case 'Webhook (JavaScript)':
      return `// npm install standardwebhooks; SECRET is what was shown when the webhook was made.
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.SECRET);

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  try {
    const event = webhook.verify(Buffer.concat(parts).toString(), request.headers);
    response.writeHead(204).end();
    // The same webhook-id may come twice: remember those that were handled.
    console.log(request.headers['webhook-id'], event.type, event.data);
  } catch {
    response.writeHead(400).end();
  }
}).listen(8080);`;
  }
}
