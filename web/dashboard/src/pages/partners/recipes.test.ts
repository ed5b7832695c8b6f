import { expect, test } from 'vitest';
import { LANGUAGES, recipe } from './recipes';

const URL = 'https://earful.example/graphql';

test.each(LANGUAGES)('%s is told where to send what, and has no key in it', (language) => {
  const text = recipe(language, URL, 'workspace_1', 'Great!');

  expect(text).toContain(URL);
  expect(text).toContain('workspace_1');
  expect(text).toContain('EARFUL_API_KEY');
});

test('quotes in the words do not end the argument of curl', () => {
  const text = recipe('curl', URL, 'workspace_1', "It's great");

  expect(text).toContain("It'\\''s great");
});
