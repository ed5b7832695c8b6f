/** A program in each of these, that submits one message with a key from the environment. */
export const LANGUAGES = ['curl', 'Python', 'JavaScript'] as const;
export type RecipeLanguage = (typeof LANGUAGES)[number];

export const SUBMIT = `mutation ($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) {
    ... on SubmitFeedbackSuccess { feedback { id } }
    ... on Problem { message }
  }
}`;

const flat = (text: string) => text.replace(/\s+/g, ' ');

export function recipe(language: RecipeLanguage, url: string, workspaceId: string, body: string): string {
  const input = { workspaceId, body };
  if (language === 'curl') {
    const sent = JSON.stringify({ query: flat(SUBMIT), variables: { input } }).replaceAll("'", "'\\''");
    return `curl ${url} \\
  -H "Authorization: Bearer $EARFUL_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${sent}'`;
  }
  if (language === 'Python') {
    return `import json
import os
from urllib.request import Request, urlopen

QUERY = """${SUBMIT}"""

request = Request(
    ${JSON.stringify(url)},
    data=json.dumps({"query": QUERY, "variables": {"input": ${JSON.stringify(input)}}}).encode(),
    headers={
        "Authorization": f"Bearer {os.environ['EARFUL_API_KEY']}",
        "Content-Type": "application/json",
    },
)
with urlopen(request) as response:
    print(json.load(response))`;
  }
  return `const query = \`${SUBMIT}\`;

const response = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: {
    authorization: \`Bearer \${process.env.EARFUL_API_KEY}\`,
    'content-type': 'application/json',
  },
  body: JSON.stringify({ query, variables: { input: ${JSON.stringify(input)} } }),
});
console.log(await response.json());`;
}
