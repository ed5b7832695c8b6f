import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import { changeInput, folded, sourceInput } from './input';

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
    generic: {
      scheme: 'HMAC',
      algorithm: 'SHA256',
      encoding: 'HEX',
      prefix: '',
      mapping: { body: 'text', rating: 'stars' },
    },
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

test('who chooses nothing to mask masks nothing', () => {
  expect(changeInput('source_1', 'API', 'STANDARD', values({ name: 'API' }))).toEqual({
    sourceId: 'source_1',
    name: 'API',
    deliveriesPerMinute: null,
    masking: null,
  });
});

test('a form is changed with all that is set of it', () => {
  const given = values({
    name: 'Form',
    deliveriesPerMinute: '30',
    'masking.kinds': 'EMAIL',
    'masking.authors': 'on',
    'form.origins': '*',
    'form.leastSeconds': '0',
    'form.perAddressPerHour': '5',
  });

  expect(changeInput('source_1', 'FORM', 'STANDARD', given)).toEqual({
    sourceId: 'source_1',
    name: 'Form',
    deliveriesPerMinute: 30,
    masking: { kinds: ['EMAIL'], authors: true, reversible: false },
    form: { origins: ['*'], leastSeconds: 0, perAddressPerHour: 5 },
  });
});

test('what is said of one origin is said of all', () => {
  const problem = { kind: 'InvalidInput', message: '', fields: { 'form.origins.1': 'must be an origin', name: 'no' } };

  expect(folded(problem)?.fields).toEqual({ 'form.origins': 'must be an origin', name: 'no' });
});
