import { fireEvent, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { shown } from '../testing/render';
import { FilePicker } from './FilePicker';

const FILE = new File(['a'], 'reviews.csv', { type: 'text/csv' });

test('a file is chosen', async () => {
  const taken: string[] = [];
  await shown(<FilePicker label="A file" onFile={({ name }) => taken.push(name)} />);
  const field = await screen.findByLabelText('A file');

  await userEvent.upload(field, FILE);

  expect(taken).toEqual(['reviews.csv']);
});

test('a file is dropped', async () => {
  const taken: string[] = [];
  await shown(<FilePicker label="A file" hint="Any." onFile={({ name }) => taken.push(name)} />);
  const place = await screen.findByText('Any.');

  fireEvent.dragOver(place);
  fireEvent.drop(place, { dataTransfer: { files: [FILE] } });

  expect(taken).toEqual(['reviews.csv']);
});
