import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { useChoices } from '../../app/triage';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { ImportPreviewFragment } from '../../gql/graphql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Form, Select, type Values } from '../../ui/Form';
import { Stack } from '../../ui/Stack';
import { Loading } from '../../ui/states';
import { Found, ProblemTable } from './Found';
import { type Columns, changed, FIELDS } from './fields';
import { MESSAGES } from './messages';
import styles from './Preview.module.css';

const PREVIEW = graphql(`
  mutation PreviewImport($input: PreviewImportInput!) {
    previewImport(input: $input) {
      ... on PreviewImportSuccess {
        preview {
          ...ImportPreview
        }
      }
      ...Refusal
    }
  }
`);

export const FOUND = graphql(`
  fragment ImportPreview on ImportPreview {
    format
    encoding
    delimiter
    columns
    mapping
    lookedAt
    refused
    rows {
      row
      body
      rating
      occurredAt
      externalId
      authorName
      authorEmail
      authorExternalId
      tags
      language
      metadata
      source
    }
    problems {
      row
      column
      reason
      original
    }
  }
`);

const START = graphql(`
  mutation StartImport($input: StartImportInput!) {
    startImport(input: $input) {
      ... on StartImportSuccess {
        job {
          ...ImportRow
        }
      }
      ...Refusal
    }
  }
`);

interface Props {
  fileId: string;
  name: string;
  onAnother: () => void;
}

/** What an import would do: how the file is written, which column is what, and what becomes of its first rows. */
export function Preview({ fileId, name, onAnother }: Props) {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const [, go] = useLocation();
  const { sources } = useChoices();
  const look = useMutate(PREVIEW);
  const start = useMutate(START);
  const [columns, setColumns] = useState<Columns | undefined>();
  const [found, setFound] = useState<ImportPreviewFragment | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();

  useEffect(() => {
    let isCurrent = true;
    void look({ input: { fileId, ...(columns && { columns }) } }).then((answer) => {
      if (!isCurrent) return;
      const result = answer?.previewImport;
      setProblem(problemIn(result));
      if (result?.__typename === 'PreviewImportSuccess') setFound(result.preview);
    });
    return () => {
      isCurrent = false;
    };
  }, [look, fileId, columns]);

  // What was chosen is shown at once, before the server has looked again.
  const mapping = (columns ?? found?.mapping ?? {}) as Partial<Columns>;
  const objections = Object.fromEntries(
    (found?.problems ?? []).filter(({ row }) => row === null).map(({ column, reason }) => [column, reason]),
  );

  async function begin(values: Values) {
    const sourceId = mapping.source ? undefined : values.maybe('sourceId');
    const input = { fileId, ...(columns && { columns }), ...(sourceId !== undefined && { sourceId }) };
    const result = (await start({ input }))?.startImport;
    if (result?.__typename === 'StartImportSuccess') go(`/w/${slug}/imports/${result.job.id}`);
    return problemIn(result);
  }

  if (!found) {
    return (
      <Card title={name} actions={<Button onClick={onAnother}>{t.another}</Button>}>
        {problem ? (
          <div role="alert">
            <p>{t.lost}</p>
            {Object.values(problem.fields).map((each) => (
              <p key={each}>{each}</p>
            ))}
          </div>
        ) : (
          <>
            <p>{t.reading}</p>
            <Loading lines={6} />
          </>
        )}
      </Card>
    );
  }
  return (
    <Stack>
      <Card title={name} actions={<Button onClick={onAnother}>{t.another}</Button>}>
        <dl className={styles.facts}>
          {[
            [t.format, found.format],
            [t.encoding, found.encoding],
            [t.delimiter, found.delimiter && (t.delimiters[found.delimiter] ?? found.delimiter)],
            [t.lookedAt, `${t.rows(found.lookedAt)}${found.refused ? `, ${t.refusedOf(found.refused)}` : ''}`],
          ].map(
            ([title, value]) =>
              value && (
                <div key={title}>
                  <dt>{title}</dt>
                  <dd>{value}</dd>
                </div>
              ),
          )}
        </dl>
      </Card>
      <Card title={t.mapping}>
        <p>{t.mappingText}</p>
        <Form onSubmit={begin} submit={t.start}>
          <div className={styles.mapping}>
            {FIELDS.map((field) => (
              <Select
                key={field}
                name={`columns.${field}`}
                label={t.fields[field]}
                hint={objections[field]}
                value={mapping[field] ?? ''}
                onChange={({ target }) => setColumns(changed(mapping, field, target.value || null))}
              >
                <option value="">{t.notThere}</option>
                {[...new Set(found.columns)].map((column) => (
                  <option key={column} value={column}>
                    {column}
                  </option>
                ))}
              </Select>
            ))}
          </div>
          <Select
            name="sourceId"
            label={t.source}
            hint={mapping.source ? t.sourceByColumn : undefined}
            disabled={Boolean(mapping.source)}
          >
            <option value="">{t.ownSource}</option>
            {sources.map(({ id, name: source }) => (
              <option key={id} value={id}>
                {source}
              </option>
            ))}
          </Select>
        </Form>
      </Card>
      <Found preview={found} />
      <ProblemTable problems={found.problems} />
    </Stack>
  );
}
