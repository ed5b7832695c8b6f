import { useCallback, useMemo } from 'react';
import { useLocation, useSearch } from 'wouter';
import { Title } from '../../app/Title';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Stack } from '../../ui/Stack';
import { Empty } from '../../ui/states';
import { type Conditions, read, written } from './conditions';
import { Filters } from './Filters';
import { List } from './List';
import { MESSAGES } from './messages';
import { Views } from './Views';

/** All feedback of the workspace, to work through. What it is narrowed by is in the address. */
export default function Inbox() {
  const t = useMessages(MESSAGES);
  const search = useSearch();
  const [path, go] = useLocation();
  const address = useMemo(() => written(read(search)), [search]);
  const conditions = useMemo(() => read(address), [address]);
  const change = useCallback(
    (next: Conditions) => {
      const text = written(next);
      go(text ? `${path}?${text}` : path, { replace: true });
    },
    [path, go],
  );
  return (
    <>
      <Title>{t.title}</Title>
      <Stack>
        <Views conditions={conditions} />
        <Card>
          <Stack>
            <Filters conditions={conditions} onChange={change} />
            <List
              key={address}
              conditions={conditions}
              none={
                address ? (
                  <Empty icon="search" title={t.none}>
                    <p>{t.noneText}</p>
                    <Button onClick={() => change(read(''))}>{t.filters.clear}</Button>
                  </Empty>
                ) : (
                  <Empty icon="inbox" title={t.empty}>
                    {t.emptyText}
                  </Empty>
                )
              }
            />
          </Stack>
        </Card>
      </Stack>
    </>
  );
}
