import type {
  GenericAlgorithm,
  GenericEncoding,
  GenericScheme,
  PersonalData,
  SourceKind,
  SourceProvider,
} from '../../gql/graphql';
import type { Problem } from '../../graph/problems';
import type { Values } from '../../ui/Form';

/** What people make here; the others come about by themselves. */
export type MadeKind = 'WEBHOOK' | 'FORM';

const OPTIONAL = [
  'items',
  'deliveryId',
  'externalId',
  'rating',
  'authorName',
  'authorEmail',
  'authorExternalId',
  'occurredAt',
  'metadata',
] as const;

/** What the form says, for `createSource`; expressions that were left empty are left out. */
export function sourceInput(kind: MadeKind, provider: SourceProvider, values: Values) {
  const name = values.text('name');
  if (kind === 'FORM') return { name, kind, form: form(values) };
  const secret = values.maybe('secret');
  const webhook = { name, kind, provider, ...(secret !== undefined && { secret }) };
  return provider === 'GENERIC' ? { ...webhook, generic: generic(values) } : webhook;
}

/** What the form says, for `updateSource`: all that can be set of such a source. */
export function changeInput(sourceId: string, kind: SourceKind, provider: SourceProvider, values: Values) {
  return {
    sourceId,
    name: values.text('name'),
    deliveriesPerMinute: values.number('deliveriesPerMinute') ?? null,
    masking: masking(values),
    ...(kind === 'FORM' && { form: form(values) }),
    ...(kind === 'WEBHOOK' && provider === 'GENERIC' && { generic: generic(values) }),
  };
}

/** Where a GENERIC webhook has what. */
export function mapping(values: Values) {
  const given = OPTIONAL.map((each) => [each, values.maybe(`generic.mapping.${each}`)] as const);
  return {
    body: values.text('generic.mapping.body'),
    ...Object.fromEntries(given.filter(([, expression]) => expression !== undefined)),
  };
}

function generic(values: Values) {
  const header = values.maybe('generic.header');
  const timestampHeader = values.maybe('generic.timestampHeader');
  return {
    scheme: values.text('generic.scheme') as GenericScheme,
    algorithm: (values.maybe('generic.algorithm') ?? 'SHA256') as GenericAlgorithm,
    encoding: (values.maybe('generic.encoding') ?? 'HEX') as GenericEncoding,
    prefix: values.text('generic.prefix'),
    ...(header !== undefined && { header }),
    ...(timestampHeader !== undefined && { timestampHeader }),
    mapping: mapping(values),
  };
}

function form(values: Values) {
  const leastSeconds = values.number('form.leastSeconds');
  const perAddressPerHour = values.number('form.perAddressPerHour');
  return {
    origins: values
      .text('form.origins')
      .split(/[\s,]+/)
      .filter(Boolean),
    ...(leastSeconds !== undefined && { leastSeconds }),
    ...(perAddressPerHour !== undefined && { perAddressPerHour }),
  };
}

function masking(values: Values) {
  const kinds = values.all('masking.kinds') as PersonalData[];
  if (!kinds.length) return null;
  return { kinds, authors: values.is('masking.authors'), reversible: values.is('masking.reversible') };
}

/** What is said of one of the origins is said beside the field that holds them all. */
export function folded(problem: Problem | undefined): Problem | undefined {
  if (!problem) return undefined;
  const fields = Object.entries(problem.fields).map(([path, text]) => [
    path.replace(/^form\.origins\..*/, 'form.origins'),
    text,
  ]);
  return { ...problem, fields: Object.fromEntries(fields) };
}
