import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Client, type Exchange, makeResult, Provider } from 'urql';
import { expect, test } from 'vitest';
import { map, pipe } from 'wonka';
import { shown } from '../../testing/render';
import { Identities } from './Identities';

const PASSWORD = 'a long and winding password';

/** Answers as the server does to a session that is not of this moment. */
const server: Exchange = () => (operations) =>
  pipe(
    operations,
    map((operation) => {
      const is = operation.variables?.input.password === PASSWORD;
      const startIdentityLink = is
        ? { __typename: 'StartIdentityLinkSuccess', url: '#acme' }
        : { __typename: 'InvalidCredentials', message: 'The password is wrong.' };
      return makeResult(operation, { data: { startIdentityLink } });
    }),
  );

test('whoever wants to sign in by another provider, too, says their password and is sent there', async () => {
  await shown(
    <Provider value={new Client({ url: '/graphql', exchanges: [server], preferGetMethod: false })}>
      <Identities identities={[]} providers={[{ id: 'acme', name: 'Acme' }]} onChange={() => undefined} />
    </Provider>,
  );
  const button = { name: 'Sign in by Acme too' };

  await userEvent.click(await screen.findByRole('button', button));
  await userEvent.type(await screen.findByLabelText('Your password'), 'not it');
  await userEvent.click((await screen.findAllByRole('button', button))[1] as HTMLElement);
  await screen.findByText('The password is wrong.');
  expect(location.hash).toBe('');
  await userEvent.clear(screen.getByLabelText('Your password'));
  await userEvent.type(screen.getByLabelText('Your password'), PASSWORD);
  await userEvent.click((await screen.findAllByRole('button', button))[1] as HTMLElement);

  await expect.poll(() => location.hash).toBe('#acme');
});
