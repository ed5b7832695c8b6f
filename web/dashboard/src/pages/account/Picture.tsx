import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { useUpload } from '../../app/files';
import { JobState } from '../../app/job/JobState';
import { useSession } from '../../app/session';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FilePicker } from '../../ui/FilePicker';
import { useOutcome } from '../../ui/outcome';
import { Progress } from '../../ui/Progress';
import { Stack } from '../../ui/Stack';
import { useToast } from '../../ui/toast';
import { MESSAGES } from './messages';
import styles from './Picture.module.css';

const SET = graphql(`
  mutation SetAvatar($input: SetAvatarInput!) {
    setAvatar(input: $input) {
      ... on SetAvatarSuccess {
        user {
          id
          avatarUrl
        }
        job {
          ...JobState
        }
      }
      ...Refusal
    }
  }
`);

const MAKING = graphql(`
  query MakingPicture($id: ID!) {
    job(id: $id) {
      ...JobState
    }
  }
`);

interface Props {
  url: string | null;
  name: string;
  onChange: () => void;
}

/** The picture by which others know one: chosen, sent, and made small by a job. */
export function Picture({ url, name, onChange }: Props) {
  const t = useMessages(MESSAGES);
  const toast = useToast();
  const say = useOutcome();
  const [workspace] = useSession().workspaces;
  const upload = useUpload();
  const set = useMutate(SET);
  const [sending, setSending] = useState<{ name: string; share: number } | undefined>();
  const [making, setMaking] = useState<string | undefined>();

  async function take(file: File, workspaceId: string) {
    const about = { name: file.name };
    setSending({ ...about, share: 0 });
    const onProgress = (share: number) => setSending({ ...about, share });
    const { id, problem } = await upload({ workspaceId, file, purpose: 'AVATAR', onProgress });
    const result = problem ? undefined : (await set({ input: { fileId: id } }))?.setAvatar;
    setSending(undefined);
    if (result?.__typename === 'SetAvatarSuccess') setMaking(result.job?.id);
    else toast({ text: problem?.kind === 'InvalidInput' ? t.pictureRefused : t.pictureLost, kind: 'failed' });
  }

  async function remove() {
    say(problemIn((await set({ input: { fileId: null } }))?.setAvatar), t.pictureRemoved);
    setMaking(undefined);
  }

  return (
    <Card title={t.picture}>
      <Stack>
        {url ? <img className={styles.picture} src={url} alt={t.pictureOf(name)} /> : <p>{t.noPicture}</p>}
        {making && <Making key={making} jobId={making} onMade={onChange} />}
        {sending ? (
          <Progress label={t.sendingPicture(sending.name)} share={sending.share} />
        ) : workspace ? (
          <FilePicker
            label={t.choosePicture}
            hint={t.pictureHint}
            accept="image/jpeg,image/png,image/webp"
            onFile={(file) => void take(file, workspace.id)}
          />
        ) : (
          <p>{t.pictureNeedsWorkspace}</p>
        )}
        {url && (
          <div>
            <Button onClick={() => void remove()}>{t.removePicture}</Button>
          </div>
        )}
      </Stack>
    </Card>
  );
}

/** The picture comes when the job is done. */
function Making({ jobId, onMade }: { jobId: string; onMade: () => void }) {
  const [{ data }] = useQuery({ query: MAKING, variables: { id: jobId } });
  const status = data?.job?.status;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is done
  useEffect(() => {
    if (status === 'SUCCEEDED') onMade();
  }, [status]);
  return data?.job && status !== 'SUCCEEDED' ? <JobState job={data.job} /> : null;
}
