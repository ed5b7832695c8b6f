import { FilterFields } from '../../app/filter/FilterFields';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, Select, type Values } from '../../ui/Form';
import { Columns, Stack } from '../../ui/Stack';
import { useToast } from '../../ui/toast';
import styles from './Exports.module.css';
import { exportIn, FORMATS } from './input';
import { MESSAGES } from './messages';

const START = graphql(`
  mutation StartExport($input: StartExportInput!) {
    startExport(input: $input) {
      ... on StartExportSuccess {
        job {
          ...JobState
        }
      }
      ...Refusal
    }
  }
`);

/** Asks for a file of all feedback, or of some. */
export function Start() {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const start = useMutate(START);
  const toast = useToast();

  async function begin(values: Values) {
    const problem = problemIn((await start({ input: { workspaceId, ...exportIn(values) } }))?.startExport);
    if (!problem) toast({ text: t.started });
    return problem;
  }

  return (
    <Card title={t.start}>
      <Form onSubmit={begin} submit={t.startIt}>
        <Columns>
          <Select name="format" label={t.format}>
            {FORMATS.map((format) => (
              <option key={format} value={format}>
                {t.formats[format]}
              </option>
            ))}
          </Select>
          <Field name="from" label={t.from} type="date" />
          <Field name="to" label={t.to} type="date" />
        </Columns>
        <details className={styles.some}>
          <summary>{t.which}</summary>
          <Stack>
            <FilterFields path="filter." />
          </Stack>
        </details>
      </Form>
    </Card>
  );
}
