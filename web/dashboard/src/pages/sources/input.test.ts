import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import { sourceInput } from './input';

function values(fields: Record<string, string>) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return new Values(data);
}

test('expressions that were left empty are left out', () => {
  const given = values({
    name: 'Reviews',
    secret: 'theirs',
    'generic.scheme': 'HMAC',
    'generic.mapping.body': 'text',
    'generic.mapping.rating': 'stars',
    'generic.mapping.items': '',
  });

  expect(sourceInput('WEBHOOK', 'GENERIC', given)).toEqual({
    name: 'Reviews',
    kind: 'WEBHOOK',
    provider: 'GENERIC',
    secret: 'theirs',
    generic: { scheme: 'HMAC', prefix: '', mapping: { body: 'text', rating: 'stars' } },
  });
});

test('a form has origins and no provider', () => {
  const given = values({ name: 'Form', 'form.origins': 'https://a.example, https://b.example' });

  expect(sourceInput('FORM', 'STANDARD', given)).toEqual({
    name: 'Form',
    kind: 'FORM',
    form: { origins: ['https://a.example', 'https://b.example'] },
  });
});
