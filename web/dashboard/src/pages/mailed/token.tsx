import type { ReactNode } from 'react';
import { useSearch } from 'wouter';
import { Title } from '../../app/Title';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Narrow } from '../../ui/Narrow';
import { MESSAGES } from './messages';

/** What the link in the mail carries; empty where a part of it was lost. */
export function useToken(): string {
  return new URLSearchParams(useSearch()).get('token') ?? '';
}

/** A page that a link leads to. A press is asked for, because programs that check mail open links, too. */
export function Linked({ title, children }: { title: string; children: ReactNode }) {
  const t = useMessages(MESSAGES);
  const token = useToken();
  return (
    <Narrow>
      <Title>{title}</Title>
      <Card>{token ? children : <p>{t.incomplete}</p>}</Card>
    </Narrow>
  );
}
