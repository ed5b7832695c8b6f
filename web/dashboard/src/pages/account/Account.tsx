import { useQuery } from 'urql';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Columns, Stack } from '../../ui/Stack';
import { Failed, Loading } from '../../ui/states';
import { Email } from './Email';
import { Identities } from './Identities';
import { Leaving } from './Leaving';
import { MESSAGES } from './messages';
import { Password } from './Password';
import { Picture } from './Picture';
import { Profile } from './Profile';
import { SecondFactor } from './SecondFactor';
import { SecurityLog } from './SecurityLog';
import { Sessions } from './Sessions';

const ACCOUNT = graphql(`
  query Account {
    identityProviders {
      id
      name
    }
    viewer {
      user {
        ...Person
        linkedIdentities {
          ...Identity
        }
      }
      sessions {
        ...SessionRow
      }
    }
  }
`);

export default function Account() {
  const t = useMessages(MESSAGES);
  const [{ data, error }, ask] = useQuery({ query: ACCOUNT, requestPolicy: 'cache-and-network' });
  const again = () => ask({ requestPolicy: 'network-only' });
  const viewer = data?.viewer;
  const user = viewer?.user;

  return (
    <>
      <Title>{t.title}</Title>
      {viewer && user ? (
        <Stack>
          <Columns least={26}>
            <Profile name={user.name} />
            <Picture url={user.avatarUrl} name={user.name} onChange={again} />
            <Email email={user.email} isVerified={user.emailVerified} />
            <Password onChange={again} />
            <SecondFactor isOn={user.totpEnabled} isVerified={user.emailVerified} onChange={again} />
          </Columns>
          {user.linkedIdentities.length + data.identityProviders.length > 0 && (
            <Identities identities={user.linkedIdentities} providers={data.identityProviders} onChange={again} />
          )}
          <Sessions sessions={viewer.sessions} onChange={again} />
          <SecurityLog />
          <Leaving />
        </Stack>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={12} />
      )}
    </>
  );
}
