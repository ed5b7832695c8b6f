import type { GenericScheme, SourceProvider } from '../../gql/graphql';
import type { Values } from '../../ui/Form';

/** What people make here; the others come about by themselves. */
export type MadeKind = 'WEBHOOK' | 'FORM';

const OPTIONAL = ['items', 'externalId', 'rating', 'authorName', 'authorEmail', 'occurredAt', 'metadata'] as const;

/** What the form says, for `createSource`; expressions that were left empty are left out. */
export function sourceInput(kind: MadeKind, provider: SourceProvider, values: Values) {
  const name = values.text('name');
  if (kind === 'FORM') {
    const origins = values
      .text('form.origins')
      .split(/[\s,]+/)
      .filter(Boolean);
    return { name, kind, form: { origins } };
  }
  const secret = values.maybe('secret');
  const webhook = { name, kind, provider, ...(secret !== undefined && { secret }) };
  return provider === 'GENERIC' ? { ...webhook, generic: generic(values) } : webhook;
}

function generic(values: Values) {
  const header = values.maybe('generic.header');
  const given = OPTIONAL.map((each) => [each, values.maybe(`generic.mapping.${each}`)] as const);
  return {
    scheme: values.text('generic.scheme') as GenericScheme,
    prefix: values.text('generic.prefix'),
    ...(header !== undefined && { header }),
    mapping: {
      body: values.text('generic.mapping.body'),
      ...Object.fromEntries(given.filter(([, expression]) => expression !== undefined)),
    },
  };
}
