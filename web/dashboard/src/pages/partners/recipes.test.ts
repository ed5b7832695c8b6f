import { expect, test } from 'vitest';
import { RECIPES, recipe } from './recipes';

const URL = 'https://earful.example/graphql';

test.each(['curl', 'Python (gql)', 'JavaScript (urql)'] as const)(
  '%s is told where to send what, and has no key',
  (each) => {
    const text = recipe(each, URL, 'workspace_1', 'Great!');

    expect(text).toContain(URL);
    expect(text).toContain('workspace_1');
    expect(text).toContain('EARFUL_API_KEY');
  },
);

test('quotes in the words do not end the argument of curl', () => {
  const text = recipe('curl', URL, 'workspace_1', "It's great");

  expect(text).toContain("It'\\''s great");
});

test('who is sent something verifies it before believing it', () => {
  const texts = RECIPES.filter((each) => each.startsWith('Webhook')).map((each) =>
    recipe(each, URL, 'workspace_1', ''),
  );

  expect(texts).toHaveLength(2);
  for (const text of texts) expect(text.indexOf('verify(')).toBeLessThan(text.indexOf('204'));
});
