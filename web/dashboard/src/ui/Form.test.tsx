import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import type { Problem } from '../graph/problems';
import { shown } from '../testing/render';
import { Field, Form, type Values } from './Form';

const REFUSED: Problem = {
  kind: 'InvalidInput',
  message: 'The input is not valid.',
  fields: { 'author.email': 'Expected an address.' },
};

test('a refusal is said beside its field, which gets the focus', async () => {
  await shown(
    <Form submit="Send" onSubmit={async () => REFUSED}>
      <Field name="name" label="Name" />
      <Field name="author.email" label="E-mail" hint="Nobody else sees it." />
    </Form>,
  );

  await userEvent.click(await screen.findByRole('button', { name: 'Send' }));

  const field = await screen.findByRole('textbox', { name: 'E-mail', description: /Expected an address\./ });
  expect(field.getAttribute('aria-invalid')).toBe('true');
  expect(screen.getByRole('alert').textContent).toBe('Please check what is marked.');
  await expect.poll(() => document.activeElement).toBe(field);
});

test('what was refused goes away when it is accepted', async () => {
  const answers = [REFUSED, undefined];
  await shown(
    <Form submit="Send" onSubmit={async () => answers.shift()}>
      <Field name="author.email" label="E-mail" />
    </Form>,
  );

  await userEvent.click(await screen.findByRole('button', { name: 'Send' }));
  await screen.findByText('Expected an address.');
  await userEvent.click(await screen.findByRole('button', { name: 'Send' }));

  await expect.poll(() => screen.queryByText('Expected an address.')).toBeNull();
  expect(screen.getByRole('alert').textContent).toBe('');
});

test('what is empty is missing', async () => {
  const sent: (string | undefined)[] = [];
  const onSubmit = async (values: Values) => {
    sent.push(values.maybe('name'), values.maybe('email'));
    return undefined;
  };
  await shown(
    <Form submit="Send" onSubmit={onSubmit}>
      <Field name="name" label="Name" />
      <Field name="email" label="E-mail" />
    </Form>,
  );

  await userEvent.type(await screen.findByRole('textbox', { name: 'Name' }), 'Ada');
  await userEvent.click(await screen.findByRole('button', { name: 'Send' }));

  expect(sent).toEqual(['Ada', undefined]);
});
